import { useEffect, useState } from "react"
import { printable } from "../../../../src/contract/text/printable.ts"
import { useAction } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { save } from "../parts/save.ts"
import { Text } from "../parts/text.tsx"
import { ask, perform } from "../wire/calls.ts"

/** Largest file that the page downloads, in bytes: the browser holds it whole. */
const MOST_BYTES = 512 * 1024 * 1024

/** An image by a URL of this page's own memory. The type is one of four raster formats, never SVG or HTML. */
const Image = (
  { bytes, label, type }: { readonly bytes: Uint8Array; readonly type: string; readonly label: string }
) => {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [bytes, type])
  return url === undefined ? null : <img className="preview" src={url} alt={nameText(label)} />
}

/** One file of a guest as text or image, and its download. It is never rendered as HTML, and never run. */
export const FileView = ({ path, workspace }: { readonly workspace: string; readonly path: string }) => {
  const [startLine, setStartLine] = useState(1)
  const action = useAction()
  const { failure, reload, value } = useLoaded(
    `${workspace} ${path} ${startLine}`,
    () => ask("workspace.file.read", { workspace, path, startLine, maxBytes: 262_144, images: true })
  )
  const download = () =>
    action.run("download", async () => {
      if ((value?.sizeBytes ?? 0) > MOST_BYTES) {
        throw new Error("The file is too large for the browser. Use: pyro export")
      }
      const pieces: Array<Uint8Array<ArrayBuffer>> = []
      await perform("workspace.file.download", { workspace, path }, (event) => {
        if (event._tag === "Output") pieces.push(new Uint8Array(event.bytes))
      })
      save(new Blob(pieces, { type: "application/octet-stream" }), path.split("/").at(-1)!)
      return "The browser has the file."
    })
  return (
    <article className="change" aria-label={nameText(path)}>
      <h3>
        <span className="mono">
          <Text of={path} />
        </span>
        {value === undefined ? null : <span className="faint">{`${bytesText(value.sizeBytes)}, ${value.mode}`}</span>}
        <button type="button" disabled={value === undefined || action.running !== undefined} onClick={download}>
          {action.running === undefined ? "Download" : "Reading…"}
        </button>
      </h3>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {action.failure === undefined ? null : <Problem of={action.failure} />}
      {value?.image?.content === undefined ?
        null :
        <Image bytes={value.image.content} type={value.image.mediaType} label={`Image ${path}`} />}
      {value?.text === undefined
        ? value?.binary === true && value.image === undefined ? <p className="faint">A binary file.</p> : null
        : (
          <pre
            className="text"
            tabIndex={0}
            role="region"
            aria-label={`Text of ${nameText(path)}`}
          >{printable(value.text)}</pre>
        )}
      {value?.lossy === true ? <p className="warning">Some bytes are not UTF-8 and are shown as �.</p> : null}
      {value?.truncated === true || startLine > 1
        ? (
          <div className="toolbar">
            <button type="button" disabled={startLine === 1} onClick={() => setStartLine(1)}>Start</button>
            <button
              type="button"
              disabled={value?.nextLine === undefined}
              onClick={() => setStartLine(value?.nextLine ?? 1)}
            >
              Later
            </button>
            <span className="faint">
              {`from line ${startLine}${value?.totalLines === undefined ? "" : ` of ${value.totalLines}`}`}
            </span>
          </div>
        )
        : null}
    </article>
  )
}
