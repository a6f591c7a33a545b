// Node 20 lacks Promise.withResolvers, which js-libp2p uses; Node 22 has it.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((...both) => { [resolve, reject] = both })
  return { promise, resolve, reject }
}
