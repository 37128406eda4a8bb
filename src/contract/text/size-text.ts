const kib = 1024
const mib = 1024 * kib

/** A size as a person reads it, rounded up: a small file is not a MiB. */
export const sizeText = (bytes: number): string =>
  bytes < kib ? `${bytes} bytes` : bytes < mib ? `${Math.ceil(bytes / kib)} KiB` : `${Math.ceil(bytes / mib)} MiB`
