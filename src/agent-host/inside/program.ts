import type { AgentInside, ChosenKey, InsideOptions } from "./agent-inside.ts"

/** `@scope/name@1.2.3` in its parts. */
const partsOf = (npm: string) => {
  const at = npm.lastIndexOf("@")
  return { name: npm.slice(0, at), version: npm.slice(at + 1) }
}

/** Name of the environment that has the agent over another one, such as `claude-code:2.1.332-debian_12`. */
export const environmentNameOf = ({ name, npm: [first] }: AgentInside, from: string): string =>
  `${name}:${partsOf(first).version}-${from.replaceAll(":", "_")}`.slice(0, name.length + 63)

/** Whether an environment has the agent, in any version. */
export const hasAgent = ({ name }: AgentInside, environment: string): boolean => environment.startsWith(`${name}:`)

/** Path of an agent's program in a guest. */
export const programOf = ({ npm: [first], program }: AgentInside) =>
  `/usr/local/lib/node_modules/${partsOf(first).name}/${program}`

/**
 * Continues the agent when it stops itself on Ctrl-Z: it leads its session, so no shell is there to bring it back. A process beside, of which
 * the agent knows nothing, looks once a second.
 */
export const KEEP_GOING = `( (
  while sleep 1 && [ -e /proc/$$ ]; do
    while read -r key state rest; do
      [ "$key" = State: ] && [ "$state" = T ] && kill -CONT $$
    done </proc/$$/status
  done
) </dev/null >/dev/null 2>&1 & )`

/** Words of the guest's command: settings first, then the agent in the same process. */
export const commandOf = (
  agent: AgentInside,
  key: ChosenKey,
  args: ReadonlyArray<string>,
  options: InsideOptions
): ReadonlyArray<string> => [
  ...["sh", "-c", `${agent.setUp(key, options)}\n${isOnce(agent, args) ? "" : `${KEEP_GOING}\n`}exec "$@"`, agent.name],
  programOf(agent),
  ...(options.ask ? agent.asking ?? [] : agent.trusting),
  ...args
]

/** Whether the agent answers once and ends, in place of a full screen. */
export const isOnce = ({ once }: AgentInside, args: ReadonlyArray<string>) => args.some((word) => once.includes(word))
