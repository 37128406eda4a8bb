import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server"

/** Refuses a cursor for a list of one page: the server gave no cursor. */
export const onePage =
  <A>(list: A) => ({ params }: { readonly params?: { readonly cursor?: string | undefined } | undefined }): A => {
    if (params?.cursor === undefined) return list
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      "unknown cursor: this list has one page; ask without a cursor"
    )
  }
