/** What a node displayed, shown by the host: images, charts, Markdown, widgets. */
import { useEffect, useRef } from 'react';
import type { JsonObject } from '../../core/flow';
import type { Bundle } from '../../core/protocol';
import type { Mounted, OutputProps, Services } from '../../core/services';

const WIDGET = 'application/vnd.jupyter.widget-view+json';

interface Props {
  readonly services: Services;
  readonly bundle: Bundle;
  /** Whether this kernel made it now. */
  readonly trusted: boolean;
}

export function MimeOutput({ services, bundle, trusted }: Props) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    return target ? mount(target, services, { bundle, trusted }) : undefined;
  }, [services, bundle, trusted]);
  return (
    <>
      <div className="iai-output-mime" ref={element} />
      {!trusted && isLive(bundle) && (
        <div className="iai-output-foot">
          <span>
            {services.trans(
              'This run did not make it, so it does nothing. Run again to see it live.'
            )}
          </span>
        </div>
      )}
    </>
  );
}

/** Types that only show; Jupyter's own names for text among them. */
const STILL = /^(text|image)\/|^application\/(json|pdf|vnd\.jupyter\.(stdout|stderr|error))$/;

/** Whether a bundle has a form that works by code of its own: a widget, an interactive chart. */
function isLive({ data }: Bundle): boolean {
  return Object.keys(data).some(type => !STILL.test(type));
}

/** Mount the bundle into an element of its own, so that a late widget finds no other's output. */
function mount(target: HTMLElement, services: Services, props: OutputProps): () => void {
  const holder = document.createElement('div');
  target.append(holder);
  let shown: Mounted<never> | null = null;
  let gone = false;
  const show = (mounted: unknown): void => {
    if (gone) {
      (mounted as Mounted<never>).dispose();
    } else {
      shown = mounted as Mounted<never>;
    }
  };
  const model = props.trusted ? widgetModel(props.bundle) : null;
  if (model === null) {
    show(services.mountOutput(holder, withoutWidget(props)));
  } else {
    services
      .mountWidget(holder, model)
      .catch(() => null)
      .then(widget => {
        if (!gone) {
          show(widget ?? services.mountOutput(holder, withoutWidget(props)));
        } else {
          widget?.dispose();
        }
      });
  }
  return () => {
    gone = true;
    shown?.dispose();
    holder.remove();
  };
}

/** The id of the widget that a bundle shows; null: it shows none. */
export function widgetModel(bundle: Bundle): string | null {
  const view = bundle.data[WIDGET];
  const id = view && typeof view === 'object' ? (view as JsonObject)['model_id'] : null;
  return typeof id === 'string' ? id : null;
}

function withoutWidget({ bundle, trusted }: OutputProps): OutputProps {
  const kept = Object.entries(bundle.data).filter(([type]) => type !== WIDGET);
  const data = Object.fromEntries(kept);
  return { bundle: { ...bundle, data }, trusted };
}
