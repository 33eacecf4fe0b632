/** Zoom, fit, grid and map: small buttons in the corner. */
import { Panel, useStore as useSurfaceStore } from '@xyflow/react';
import { useController, useSelect } from '../hooks';
import { useMapSize } from './FlowMap';
import { Drawing, SIGNS } from './icons';

export function Controls() {
  const controller = useController();
  const { trans } = controller.services;
  const zoom = useSurfaceStore(state => Math.round(state.transform[2] * 100));
  const snap = useSelect(controller.view, view => view.snap);
  const hasRoom = useMapSize() !== null;
  const minimap = useSelect(controller.view, view => view.minimap);
  return (
    <Panel position="bottom-left" className="iai-controls">
      <div role="toolbar" aria-label={trans('View of the surface')}>
        <Tool sign="minus" label={trans('Zoom out')} run={() => controller.surface?.zoom(0.8)} />
        <span
          className="iai-zoom"
          aria-label={trans('Zoom {percent}%', { percent: zoom })}
          role="img"
        >
          {zoom}%
        </span>
        <Tool sign="plus" label={trans('Zoom in')} run={() => controller.surface?.zoom(1.25)} />
        <Tool
          sign="fit"
          label={trans('Fit into view')}
          run={() => controller.surface?.reveal([])}
        />
        <Tool
          sign="grid"
          label={trans('Keep to the grid')}
          on={snap}
          run={() => controller.look({ snap: !snap })}
        />
        {hasRoom && (
          <Tool
            sign="map"
            label={trans('Map of the flow')}
            on={minimap}
            run={() => controller.look({ minimap: !minimap })}
          />
        )}
      </div>
    </Panel>
  );
}

interface ToolProps {
  readonly sign: keyof typeof SIGNS;
  readonly label: string;
  readonly on?: boolean;
  run(): void;
}

function Tool({ sign, label, on, run }: ToolProps) {
  return (
    <button
      type="button"
      className="iai-tool"
      title={label}
      aria-label={label}
      aria-pressed={on}
      onClick={run}
    >
      <Drawing path={SIGNS[sign]} />
    </button>
  );
}
