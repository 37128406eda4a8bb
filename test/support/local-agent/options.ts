/** What a local agent runs with. */
export interface LocalAgentOptions {
  /** Host path of the guest agent. */
  readonly program: string
  /** Existing directory for the reports of a sanitizer that the agent was built with. */
  readonly reports?: string | undefined
}
