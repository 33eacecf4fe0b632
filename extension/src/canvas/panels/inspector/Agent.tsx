/** What the agent of a node does or did: live while it works, with its conversation afterwards. */
import { tracePort, traceText } from '../../../core/agentTrace';
import type { Hello } from '../../../core/link';
import { Store } from '../../../core/store';
import { AgentView } from '../../agent';
import { Fold } from '../../agent/Fold';
import { useTrans } from '../../chrome/use';
import { useController, useNode, useRuns, useStore } from '../../hooks';
import { JsonTree, ValueViewer, isLive } from '../../outputs';

export function Agent({ path }: { readonly path: string }) {
  const controller = useController();
  const trans = useTrans();
  const state = useNode(useRuns(controller), path);
  const port = tracePort(state.outputs);
  const text = port === null ? null : traceText(state.outputs[port]);
  if (text === null) {
    return (
      <div className="iai-pad">
        <p className="iai-muted">{trans('It has not run yet.')}</p>
        <ChatButton path={path} />
      </div>
    );
  }
  return (
    <div className="iai-pad">
      <ChatButton path={path} />
      <AgentView
        text={text}
        services={controller.services}
        label={trans('Agent')}
        live={isLive(state)}
        whole
        onStop={() => void controller.stop()}
        raw={<Raw path={path} text={text} hasMessages={'messages' in state.outputs} />}
      />
    </div>
  );
}

/** Leads to a chat with an agent of the flow itself, where the host has one and the flow a file. */
function ChatButton({ path }: { readonly path: string }) {
  const controller = useController();
  const trans = useTrans();
  const info = useStore(useStore(controller.link)?.info ?? NO_INFO);
  const { openChat } = controller.services;
  const flow = info?.path;
  const isOwn = Object.hasOwn(controller.document.flow.get().nodes, path);
  return openChat && flow && isOwn ? (
    <div className="iai-row iai-agent-chat">
      <button type="button" className="iai-button" onClick={() => openChat(flow, path)}>
        {trans('Chat…')}
      </button>
    </div>
  ) : null;
}

const NO_INFO = new Store<Hello | null>(null);

interface RawProps {
  readonly path: string;
  readonly text: string;
  /** Whether the conversation is there: the agent has ended. */
  readonly hasMessages: boolean;
}

function Raw({ path, text, hasMessages }: RawProps) {
  const controller = useController();
  const trans = useTrans();
  return (
    <>
      {hasMessages && (
        <Fold summary={trans('Messages as JSON')}>
          <ValueViewer controller={controller} path={path} kind="output" port="messages" />
        </Fold>
      )}
      <Fold summary={trans('This view as JSON')}>
        <JsonTree
          text={text}
          services={controller.services}
          label={trans('This view as JSON')}
          open={1}
        />
      </Fold>
    </>
  );
}
