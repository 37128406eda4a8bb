/** That a line of the output begins with a label, and goes on with a text. */
export const says = (label, pattern) => [
  `${label} says ${pattern}`,
  ({ stdout }) => pattern.test(stdout.split("\n").find((line) => line.startsWith(`${label}:`))?.slice(label.length + 1))
]
