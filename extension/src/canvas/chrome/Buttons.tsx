/** Buttons of bars and panels. */
import type { ReactNode } from 'react';
import type { Command } from '../../core/commands';
import { spellKeys } from '../../core/keys';
import { useController } from '../hooks';
import { Icon, type IconName } from './icons';
import { useCommand, useCommandState } from './use';

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
}

/** A button that shows only a picture; its name is read aloud and shown as a tip. */
export function IconButton({ icon, label, onClick, disabled, pressed }: IconButtonProps) {
  return (
    <button
      type="button"
      className="iai-icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

interface CommandButtonProps {
  readonly id: string;
  readonly icon?: IconName;
  /** Whether the label is shown beside the picture. */
  readonly named?: boolean;
  /** Another text than the command's own. */
  readonly children?: ReactNode;
  readonly className?: string;
}

/** What a command is called, its keys, and why it cannot be done now. */
function tipOf(command: Command): string {
  const [keys] = command.keys;
  const name = keys ? `${command.label} (${spellKeys(keys)})` : command.label;
  const reason = command.enabled() ? '' : command.why?.();
  return reason ? `${name}\n${reason}` : name;
}

/** A button for a command: disabled while it cannot be done, pressed while what it switches is on. */
export function CommandButton({ id, icon, named, children, className = '' }: CommandButtonProps) {
  useCommandState(useController());
  const command = useCommand(id);
  const text = named || !icon ? (children ?? command.label) : null;
  return (
    <button
      type="button"
      className={`${text === null ? 'iai-icon-button' : 'iai-button'} ${className}`}
      data-command={id}
      aria-label={text === null ? command.label : undefined}
      aria-pressed={command.toggled?.()}
      title={tipOf(command)}
      disabled={!command.enabled()}
      onClick={() => void command.run()}
    >
      {icon && <Icon name={icon} />}
      {text !== null && <span>{text}</span>}
    </button>
  );
}
