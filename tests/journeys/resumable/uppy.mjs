// Uppy with one of its uploaders, as a page would have it; where that fails, the next attempt meets the other instance.
import { register } from 'node:module'
import Uppy from '@uppy/core'
import { data, failOver, say, told } from './surroundings.mjs'

register('./browser.mjs', import.meta.url)
const headers = { Authorization: `Bearer ${told.token}` }
const uppy = new Uppy({ autoProceed: false })

if (told.plugin === 'tus') {
  const { default: Tus } = await import('@uppy/tus')
  uppy.use(Tus, {
    endpoint: `${told.base}/api/v1/uploads`,
    headers,
    chunkSize: told.chunkSize ?? Infinity,
    retryDelays: [],
    removeFingerprintOnSuccess: true,
  })
} else {
  const { default: AwsS3 } = await import('@uppy/aws-s3')
  uppy.use(AwsS3, {
    // The two generations call it differently.
    endpoint: `${told.base}/api/v1`,
    companionEndpoint: `${told.base}/api/v1`,
    headers,
    shouldUseMultipart: true,
    allowedMetaFields: ['meeting', 'transcribe', 'sha256'],
  })
}

uppy.on('upload-success', (file, { uploadURL }) => say('done', { url: uploadURL }))
uppy.on('upload-error', (file, error) => say('failed', { message: String(error.message).slice(0, 300) }))

const added = uppy.addFile({
  name: 'weekly.wav',
  type: 'audio/wav',
  data: new File([data], 'weekly.wav', { type: 'audio/wav' }),
  meta: { meeting: told.meeting, transcribe: 'false', ...(told.sha256 ? { sha256: told.sha256 } : {}) },
})
say('added', { file: added })
let outcome = await uppy.upload()
while (outcome.failed.length > 0) {
  await failOver()
  outcome = await uppy.retryAll()
}
process.exit(0)
