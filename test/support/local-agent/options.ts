/** What a local agent runs with. */
export interface LocalAgentOptions {
  /** Host path of the guest agent. */
  readonly program: string
  /** Existing directory for the reports of a sanitizer that the agent was built with. */
  readonly reports?: string | undefined
  /** Points of a rewind have the memory of the moment, as those of a driver whose VM writes diffs. */
  readonly hasMemoryPoints?: boolean | undefined
}
