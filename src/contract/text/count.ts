/** A number with its noun: `1 command`, `2 commands`. */
export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`
