import type { ServiceStartPayload } from "./workspace-service.ts"

/** Numbers of services by state, such as `2 ready, 1 failed`. */
export const servicesText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ")

/** What `service start` waits for; undefined if it waits for nothing. */
export const waitingText = (
  { name, readyCommand, readyFile, readyHttp, readyTcp }: Pick<
    ServiceStartPayload,
    "name" | "readyCommand" | "readyFile" | "readyHttp" | "readyTcp"
  >
): string | undefined => {
  const check = readyTcp === undefined ? readyHttp ?? readyFile ?? readyCommand : `port ${readyTcp}`
  return check === undefined ? undefined : `waiting for ${name} to be ready (${check.split("\n", 1)[0]!.slice(0, 100)})`
}
