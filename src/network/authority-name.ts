/** Start of the common name of each authority. A random part follows. */
export const AUTHORITY_NAME = "pyro workspace"
