import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server"

/** Refuses the cursor of a list that has one page: this server gave none out. */
export const onePage =
  <A>(list: A) => ({ params }: { readonly params?: { readonly cursor?: string | undefined } | undefined }): A => {
    if (params?.cursor === undefined) return list
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      "unknown cursor: this list has one page; ask without a cursor"
    )
  }
