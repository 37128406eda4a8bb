/** Argument of every process of a VM. A sweep finds the processes by this argument. */
export const processName = (id: string) => `pyro-${id}`
