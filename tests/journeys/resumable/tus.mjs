// tus-js-client as it is in Node: from a buffer, to one instance, and to the other where that fails.
import * as tus from 'tus-js-client'
import { data, failOver, say, told } from './surroundings.mjs'

function upload(base, url) {
  return new Promise((resolve) => {
    const client = new tus.Upload(data, {
      endpoint: `${base}/api/v1/uploads`,
      uploadUrl: url,
      chunkSize: told.chunkSize ?? Infinity,
      retryDelays: told.retryDelays ?? [0, 1000, 3000, 5000],
      uploadDataDuringCreation: told.duringCreation ?? false,
      overridePatchMethod: told.override ?? false,
      headers: url ? {} : { Authorization: `Bearer ${told.token}` },
      metadata: { filename: 'weekly.wav', filetype: 'audio/wav', meeting: told.meeting, transcribe: 'false' },
      onUploadUrlAvailable: () => say('url', { url: client.url }),
      onSuccess: ({ lastResponse }) => {
        say('done', { recording: lastResponse.getHeader('X-ChatVista-Recording') })
        resolve(null)
      },
      onError: (error) => {
        say('failed', { message: String(error.message).slice(0, 300) })
        resolve(client.url)
      },
    })
    client.start()
  })
}

const left = await upload(told.base, null)
if (left) {
  const base = await failOver()
  await upload(base, left.replace(told.base, base))
}
process.exit(0)
