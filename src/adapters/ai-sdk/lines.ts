/** Lines of a text, from 1. The first line ending of the text that is CRLF, LF or CR, in this order, counts as its own. */
export const linesOf = (
  text: string,
  { endLine, startLine }: { readonly startLine?: number | undefined; readonly endLine?: number | undefined }
): string => {
  if (startLine === undefined && endLine === undefined) return text
  const ending = ["\r\n", "\n", "\r"].find((one) => text.includes(one)) ?? "\n"
  return text.split(ending).slice(Math.max(1, startLine ?? 1) - 1, endLine).join(ending)
}
