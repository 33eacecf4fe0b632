/** The host's forms and editors as React components. */
import { useLayoutEffect, useRef } from 'react';
import type { EditorProps, FormProps, Mounted } from '../../core/services';
import { useController } from '../hooks';

export function Form(props: FormProps) {
  const { services } = useController();
  return <Mount props={props} mount={(element, first) => services.mountForm(element, first)} />;
}

export function Editor(props: EditorProps) {
  const { services } = useController();
  return <Mount props={props} mount={(element, first) => services.mountEditor(element, first)} />;
}

interface MountProps<Props> {
  readonly props: Props;
  readonly mount: (element: HTMLElement, props: Props) => Mounted<Props>;
}

/** What a host mounts into an element. */
export function Mount<Props>({ props, mount }: MountProps<Props>) {
  const element = useRef<HTMLDivElement>(null);
  const mounted = useRef<Mounted<Props> | null>(null);
  const first = useRef({ props, mount });
  useLayoutEffect(() => {
    if (!element.current) {
      return undefined;
    }
    const made = first.current.mount(element.current, first.current.props);
    mounted.current = made;
    return () => {
      mounted.current = null;
      made.dispose();
    };
  }, []);
  // before the event ends: a field that still had the old text would lose what was typed
  useLayoutEffect(() => mounted.current?.update(props), [props]);
  return <div className="iai-mounted" ref={element} />;
}
