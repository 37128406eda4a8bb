import type { PublishedPort } from "../../../../src/contract/rows/workspace-port.ts"
import { nameText } from "./blanks.ts"

/** Published ports. Each link leads to 127.0.0.1, whatever a guest says, and tells the target nothing of this page. */
export const Ports = ({ of }: { readonly of: ReadonlyArray<PublishedPort> }) =>
  of.length === 0 ? <span className="faint">–</span> : (
    <ul className="ports">
      {of.map(({ guestPort, hostPort, service }) => (
        <li key={guestPort}>
          {hostPort === undefined ? <span>{guestPort}</span> : (
            <a
              href={`http://127.0.0.1:${Number(hostPort)}/`}
              target="_blank"
              rel="noopener noreferrer"
              title={service === undefined
                ? `port ${guestPort} of the guest`
                : `${nameText(service)}, port ${guestPort} of the guest`}
            >
              {`:${hostPort}`}
              <span className="unseen">(opens a new tab)</span>
            </a>
          )}
        </li>
      ))}
    </ul>
  )
