import { Component, type ReactNode } from "react"
import { Message } from "./text.tsx"

/** A failed request, in the words of pyro's error. */
export const Problem = ({ of, retry }: { readonly of: Error; readonly retry?: () => void }) => (
  <div className="problem" role="alert">
    <p>
      <Message of={of.message} />
    </p>
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
