/** Environment variables of a command, by name. */
export type Variables = Readonly<Record<string, string>>

/** Variables of a workspace by which git, shells and the loader of programs do more than the words of a command say. */
const STEERING = /^(GIT_|LD_|BASH_ENV$|ENV$)/

/** Whether the words of a command alone do not say what it does: its caller gives it variables, or the workspace gives it some of these. */
export const isSteered = (
  { env = {}, secretEnv = [] }: {
    readonly env?: Variables | undefined
    readonly secretEnv?: ReadonlyArray<string> | undefined
  },
  own: Variables = {}
): boolean =>
  Object.keys(env).length > 0 || secretEnv.length > 0 || Object.keys(own).some((name) => STEERING.test(name))
