import { Component, type ReactNode } from "react"
import { RequestFailed } from "../wire/calls.ts"
import type { PageOptions } from "./step-text.ts"
import { Steps } from "./steps.tsx"
import { Message } from "./text.tsx"

/** A failed request: pyro's fact, and what to do next. `options`: what stands for options in this view. */
export const Problem = ({ of, options, retry }: {
  readonly of: Error
  readonly options?: PageOptions
  readonly retry?: () => void
}) => (
  <div className="problem" role="alert">
    <p>
      <Message of={of.message} />
    </p>
    {of instanceof RequestFailed ? <Steps of={of.next} {...options === undefined ? {} : { options }} /> : null}
    {retry === undefined ? null : <button type="button" onClick={retry}>Try again</button>}
  </div>
)

/** Shows a defect of a view in its place, so that the rest of the page stays. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly failure?: Error }> {
  override state: { readonly failure?: Error } = {}
  static getDerivedStateFromError(failure: Error) {
    return { failure }
  }
  override render() {
    const { failure } = this.state
    return failure === undefined
      ? this.props.children
      : <Problem of={failure} retry={() => this.setState({ failure: undefined as never })} />
  }
}
