// Yamux that loses nothing of a stream whose other side says all it has and ends its half at once, as nodes do when
// they knock: js-libp2p (3.3) resets such a stream where the end comes before its protocol is negotiated.
import { yamux } from '@chainsafe/libp2p-yamux'

/** As `yamux(options)`; the end of a stream is told once somebody reads it. */
export function patientYamux (options) {
  const create = yamux(options)
  return (components) => {
    const factory = create(components)
    const createMuxer = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => patient(createMuxer(connection))
    return factory
  }
}

function patient (muxer) {
  const onRemoteStream = muxer.onRemoteStream.bind(muxer)
  muxer.onRemoteStream = (stream) => {
    holdEnd(stream)
    onRemoteStream(stream)
  }
  return muxer
}

function holdEnd (stream) {
  const end = stream.onRemoteCloseWrite.bind(stream)
  stream.onRemoteCloseWrite = () => {
    const isRead = stream.protocol !== '' && stream.listenerCount('message') > 0
    if (isRead || stream.status !== 'open') end()
    else setTimeout(stream.onRemoteCloseWrite, 1)
  }
}
