/** Undefined when every named expectation holds of a command's result, else which did not and what the command printed. */
export const expectAll = (result, expectations) => {
  const broken = expectations.filter(([, holds]) => !holds(result)).map(([name]) => name)
  return broken.length === 0 ? undefined : `expected: ${broken.join("; ")}\n${said(result)}`
}

export const said = ({ status, stderr, stdout, timedOut }) =>
  `status ${status}${
    timedOut ? ", its deadline passed" : ""
  }\n--- stdout\n${stdout.trimEnd()}\n--- stderr\n${stderr.trimEnd()}`
