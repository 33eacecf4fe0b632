/** Agents as their traces show them, and what they ask. */
export { AgentView } from './AgentView';
export { AskCard } from './AskCard';
export { Asks } from './Asks';
