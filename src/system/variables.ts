/** A whole number that an environment variable says; undefined where it says something else, or nothing. */
export const wholeNumberOf = (variable: string): number | undefined => {
  const said = process.env[variable] ?? ""
  return /^\d{1,15}$/.test(said) ? Number(said) : undefined
}
