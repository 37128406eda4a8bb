/** Name of the host's own loopback in guests, as `host.docker.internal`. Nobody registers `.internal` (ICANN, 2024). */
export const THIS_HOST = "host.pyro.internal"
