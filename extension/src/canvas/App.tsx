/** The whole canvas: the surface with everything around it. */
import type { Controller } from '../core/controller';

export interface AppProps {
  readonly controller: Controller;
  /** Inside a notebook's output: a toolbar of its own and panels over the surface. */
  readonly compact: boolean;
}

export function App({ controller, compact }: AppProps): JSX.Element {
  return <div className="iai-app" data-compact={compact} data-mode={controller.mode} />;
}
