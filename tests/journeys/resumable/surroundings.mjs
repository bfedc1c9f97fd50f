// What a browser has and Node lacks, and a way to fail over: every request goes to the instance that is up.
// Events are told as lines of JSON on stdout; the journey answers on stdin.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export const told = JSON.parse(process.argv[2])
export const data = readFileSync(told.file)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
let base = told.base

export function say(event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`)
}

// Waits for the journey, which says where to go on.
export async function failOver() {
  const line = await lines.next()
  base = JSON.parse(line.value).base
  return base
}

function routed(url) {
  return String(url).replace(told.base, base)
}

const realFetch = globalThis.fetch
globalThis.fetch = (url, options = {}) => {
  const headers = new Headers(options.headers)
  const isOurs = String(url).startsWith(told.base)
  if (isOurs && !headers.has('authorization')) headers.set('authorization', `Bearer ${told.token}`)
  return realFetch(routed(url), { ...options, headers }).catch((error) => {
    // A load balancer that sends what one instance no longer takes to the other.
    if (!isOurs || !told.standby) throw error
    base = told.standby
    return realFetch(routed(url), { ...options, headers })
  })
}

// As much of XMLHttpRequest as tus-js-client and Uppy use.
class Request extends EventTarget {
  #headers = new Headers()
  #abort = new AbortController()
  #answer = null
  upload = new EventTarget()
  status = 0
  statusText = ''
  readyState = 0
  response = ''
  responseText = ''
  responseURL = ''

  open(method, url) {
    this.method = method
    this.url = url
    this.readyState = 1
  }

  setRequestHeader(name, value) {
    this.#headers.set(name, value)
  }

  getResponseHeader(name) {
    return this.#answer?.headers.get(name) ?? null
  }

  getAllResponseHeaders() {
    return [...(this.#answer?.headers ?? [])].map(([name, value]) => `${name}: ${value}`).join('\r\n')
  }

  async send(body) {
    const size = body?.size ?? body?.length ?? 0
    try {
      this.#answer = await realFetch(routed(this.url), {
        method: this.method,
        headers: this.#headers,
        body: body ?? undefined,
        signal: this.#abort.signal,
      })
      this.responseText = this.response = await this.#answer.text()
    } catch (error) {
      this.readyState = 4
      this.#tell(this, this.#abort.signal.aborted ? 'abort' : 'error')
      return
    }
    this.status = this.#answer.status
    this.statusText = this.#answer.statusText
    this.readyState = 4
    this.#tell(this.upload, 'progress', { lengthComputable: true, loaded: size, total: size })
    this.#tell(this, 'readystatechange')
    this.#tell(this, 'load')
    this.#tell(this, 'loadend')
  }

  abort() {
    this.#abort.abort()
  }

  #tell(target, name, more = {}) {
    const event = Object.assign(new Event(name), more)
    target[`on${name}`]?.(event)
    target.dispatchEvent(event)
  }
}
globalThis.XMLHttpRequest = Request
