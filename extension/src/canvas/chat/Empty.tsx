/** What is said where there is nothing yet: what to do about it. */
import { useChat } from './context';

/** A door to the agents that runs as it stands. */
const EXAMPLE = `from iaiflow_agents import Agent

analyst = Agent("analyst", model="claude-sonnet-5-5", tools=["sql"])`;

export function NoAgent() {
  const { chats, services, trans } = useChat();
  return (
    <div className="iai-chat-empty">
      <h3>{trans('There is no agent to talk with yet')}</h3>
      <p>
        {trans(
          'Make one in a cell of this kernel, or put an agent node into a flow that uses it; then look again.'
        )}
      </p>
      <pre>{EXAMPLE}</pre>
      <div className="iai-row">
        <button type="button" className="iai-button" onClick={() => void services.copy(EXAMPLE)}>
          {trans('Copy')}
        </button>
        <button type="button" className="iai-button iai-primary" onClick={() => void chats.start()}>
          {trans('Look again')}
        </button>
      </div>
    </div>
  );
}
