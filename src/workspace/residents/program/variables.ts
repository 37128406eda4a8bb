/** Environment variables of a command, by name. */
export type Variables = Readonly<Record<string, string>>
