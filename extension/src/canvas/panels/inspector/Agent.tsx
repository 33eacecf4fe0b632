/** What the agent of a node does or did: live while it works, with its conversation afterwards. */
import { tracePort, traceText } from '../../../core/agentTrace';
import { AgentView } from '../../agent';
import { Fold } from '../../agent/Fold';
import { useTrans } from '../../chrome/use';
import { useController, useNode, useRuns } from '../../hooks';
import { JsonTree, ValueViewer, isLive } from '../../outputs';

export function Agent({ path }: { readonly path: string }) {
  const controller = useController();
  const trans = useTrans();
  const state = useNode(useRuns(controller), path);
  const port = tracePort(state.outputs);
  const text = port === null ? null : traceText(state.outputs[port]);
  if (text === null) {
    return null;
  }
  return (
    <div className="iai-pad">
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
