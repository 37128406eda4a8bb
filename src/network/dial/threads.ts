/** Threads of libuv's pool in the dial process (UV_THREADPOOL_SIZE). A look-up with a dead resolver keeps one for up to 30 s. */
export const THREADS = 96
