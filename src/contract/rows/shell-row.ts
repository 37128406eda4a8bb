/** Parts that the rows of shells share. */
export const full = { profiles: ["full"] } as const
export const writes = { readOnly: false, destructive: false, idempotent: false, openWorld: false } as const
export const shell = (...words: ReadonlyArray<string>) => ["workspace", "shell", ...words] as const
