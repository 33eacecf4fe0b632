/** One side of the canvas: the open panels of that side, one of them in sight. */
import { Component, useRef, type ReactNode } from 'react';
import type { Panel } from '../../core/controller';
import type { Trans } from '../../core/i18n';
import { IconButton } from '../chrome/Buttons';
import { Tabs, markOf } from '../chrome/Tabs';
import { useTrans } from '../chrome/use';
import { useHeldFocus } from '../chrome/useHeldFocus';
import { useController, useStore } from '../hooks';
import { History } from './History';
import { Inspector } from './inspector/Inspector';
import { Palette } from './Palette';
import { Problems } from './Problems';
import { Timeline } from './Timeline';

interface Props {
  readonly side: 'left' | 'right' | 'bottom';
  readonly panels: readonly Panel[];
  /** Width or height in pixels. */
  readonly size: number;
  readonly onSize: (size: number) => void;
  readonly splitter: ReactNode;
}

const PANELS: Readonly<Record<Panel, () => ReactNode>> = {
  palette: () => <Palette />,
  inspector: () => <Inspector />,
  timeline: () => <Timeline />,
  history: () => <History />,
  problems: () => <Problems />
};

const NARROW = 348;
const WIDE = 720;

export function Dock({ side, panels, size, onSize, splitter }: Props) {
  const { panels: shown } = useStore(useController().view);
  const active = [...shown].filter(panel => panels.includes(panel)).at(-1);
  if (!active) {
    return null;
  }
  const open = panels.filter(panel => shown.has(panel));
  const front = <Front {...{ side, open, active, size, onSize }} />;
  return side === 'left' ? (
    <>
      {front}
      {splitter}
    </>
  ) : (
    <>
      {splitter}
      {front}
    </>
  );
}

interface FrontProps extends Pick<Props, 'side' | 'size' | 'onSize'> {
  readonly open: readonly Panel[];
  /** The panel that is in sight. */
  readonly active: Panel;
}

function Front({ side, open, active, size, onSize }: FrontProps) {
  const controller = useController();
  const trans = useTrans();
  const problems = useStore(controller.problems);
  const element = useRef<HTMLElement>(null);
  useHeldFocus(element);
  const names = panelNames(trans);
  const tabs = open.map(id => ({
    id,
    label: names[id],
    ...(id === 'problems' ? markOf(problems, String(problems.length)) : {})
  }));
  return (
    <section
      ref={element}
      className="iai-dock"
      data-side={side}
      data-panel={active}
      style={side === 'bottom' ? { height: size } : { width: size }}
    >
      <Tabs
        label={trans('Panels')}
        tabs={tabs}
        active={active}
        onActive={panel => controller.toggle(panel, true)}
        end={<PanelButtons {...{ side, active, size, onSize }} />}
      >
        <Guard key={active} trans={trans}>
          {PANELS[active]()}
        </Guard>
      </Tabs>
    </section>
  );
}

function PanelButtons({ side, active, size, onSize }: Omit<FrontProps, 'open'>) {
  const controller = useController();
  const trans = useTrans();
  const close = (): void => {
    controller.toggle(active, false);
    controller.surface?.back();
  };
  return (
    <span className="iai-row">
      {side === 'right' && (
        <IconButton
          icon="wide"
          label={size >= WIDE ? trans('Narrow') : trans('Wide')}
          onClick={() => onSize(size >= WIDE ? NARROW : WIDE)}
        />
      )}
      <IconButton
        icon="close"
        label={trans('Close {panel}', { panel: panelNames(trans)[active] })}
        onClick={close}
      />
    </span>
  );
}

function panelNames(trans: Trans): Record<Panel, string> {
  return {
    palette: trans('Palette'),
    inspector: trans('Inspector'),
    timeline: trans('Timeline'),
    history: trans('History'),
    problems: trans('Problems')
  };
}

interface GuardProps {
  readonly trans: Trans;
  readonly children: ReactNode;
}

/** A panel that fails leaves the canvas alive. */
class Guard extends Component<GuardProps, { readonly fault: string }> {
  override state = { fault: '' };

  static getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    if (!this.state.fault) {
      return this.props.children;
    }
    const { trans } = this.props;
    return (
      <div className="iai-pad" role="alert">
        <p>{trans('This panel cannot be shown: {reason}', { reason: this.state.fault })}</p>
        <button type="button" className="iai-button" onClick={() => this.setState({ fault: '' })}>
          {trans('Try again')}
        </button>
      </div>
    );
  }
}
