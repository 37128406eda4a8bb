/** Name of the host's own loopback in guests, as `host.docker.internal`. `.internal` cannot be registered (ICANN, 2024). */
export const THIS_HOST = "host.pyro.internal"
