/** The whole canvas: the surface with everything around it. */
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { commandFor, commands, type Command } from '../core/commands';
import type { Controller, Panel } from '../core/controller';
import { DraftsKept } from './agent/drafts';
import { CommandList } from './chrome/CommandList';
import { Find } from './chrome/Find';
import { Notices } from './chrome/Notices';
import { QuickSearch } from './chrome/QuickSearch';
import { KeyForm } from './chrome/KeyForm';
import { RunForm } from './chrome/RunForm';
import { Splitter } from './chrome/Splitter';
import { Toolbar } from './chrome/Toolbar';
import { CommandsContext, useTrans } from './chrome/use';
import { useAskNews } from './chrome/useAskNews';
import { useNarrow } from './chrome/useNarrow';
import { useRunNews } from './chrome/useRunNews';
import { useSelect } from './hooks';
import { Dock } from './panels/Dock';
import { Surface } from './surface';

export interface AppProps {
  readonly controller: Controller;
  /** Inside a notebook's output: a toolbar of its own and panels over the surface. */
  readonly compact: boolean;
}

export function App({ controller, compact }: AppProps) {
  const list = useMemo(() => commands(controller), [controller]);
  const said = useSelect(controller.view, view => view.said);
  const element = useRef<HTMLDivElement>(null);
  useNarrow(element, controller);
  useRunNews(controller);
  useAskNews(controller);
  return (
    <CommandsContext.Provider value={list}>
      <DraftsKept>
        <div
          ref={element}
          className="iai-app"
          data-compact={compact}
          onKeyDown={event => pressKey(controller, list, event)}
        >
          {compact && <Toolbar />}
          <Notices />
          <div className="iai-body">
            <Side side="left" panels={['palette']} />
            <div className="iai-middle">
              <div className="iai-stage">
                <Surface controller={controller} />
                <QuickSearch />
                <Find />
                <CommandList />
                <RunForm />
                <KeyForm />
              </div>
              <Side side="bottom" panels={['timeline', 'problems']} />
            </div>
            <Side side="right" panels={['inspector', 'history']} />
          </div>
          <div className="iai-said" role="status" aria-live="polite">
            {said}
          </div>
        </div>
      </DraftsKept>
    </CommandsContext.Provider>
  );
}

interface SideProps {
  readonly side: 'left' | 'right' | 'bottom';
  readonly panels: readonly Panel[];
}

/** Width or height in pixels: at first, at least, at most. */
const SIZES = { left: [248, 180, 480], right: [348, 260, 1100], bottom: [220, 110, 640] } as const;

function Side({ side, panels }: SideProps) {
  const trans = useTrans();
  const [first, min, max] = SIZES[side];
  const [size, setSize] = useState<number>(first);
  const splitter = (
    <Splitter
      label={trans('Size of the panel')}
      axis={side === 'bottom' ? 'y' : 'x'}
      direction={side === 'left' ? 1 : -1}
      {...{ size, min, max }}
      onSize={setSize}
    />
  );
  return <Dock side={side} panels={panels} size={size} onSize={setSize} splitter={splitter} />;
}

/** Commands that a panel, or a field being typed in, leaves to the canvas. */
const FROM_PANELS = new Set([
  'undo',
  'redo',
  'find',
  'command-list',
  'run-all',
  'run-until',
  'stop'
]);
const FROM_FIELDS = new Set(['find', 'command-list', 'run-until', 'stop']);

/** Keys outside of the surface, which has its own way with them. */
function pressKey(controller: Controller, list: readonly Command[], event: KeyboardEvent): void {
  const { target } = event;
  const onSurface = target instanceof Element && target.closest('.iai-surface') !== null;
  if (event.defaultPrevented || event.nativeEvent.isComposing || onSurface) {
    return;
  }
  if (event.key === 'Escape') {
    controller.surface?.back();
    return;
  }
  const command = commandFor(list, event.nativeEvent);
  const allowed = isField(target) ? FROM_FIELDS : FROM_PANELS;
  if (command && allowed.has(command.id) && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    void command.run();
  }
}

function isField(target: EventTarget): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}
