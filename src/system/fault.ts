/**
 * A place where a crash is worth trying: when `PYRO_FAULT` names it, the process kills itself there as a power cut would. The
 * fault-injection tests visit every one.
 */
export const faultPoint = (name: string): void => {
  if (process.env["PYRO_FAULT"] === name) process.kill(process.pid, "SIGKILL")
}
