/** What goes with a question, in a line: pictures small, the rest by name. */
import type { Attachment } from '../../core/chat';
import { shorten, visible } from '../../core/text';
import { Icon } from '../chrome/icons';
import { useChat } from './context';
import { isPicture } from './pictures';

const NAME = 60;

interface Props {
  readonly attachments: readonly Attachment[];
  readonly onRemove?: (at: number) => void;
}

export function Attached({ attachments, onRemove }: Props) {
  const { trans } = useChat();
  return attachments.length > 0 ? (
    <ul className="iai-chat-chips" aria-label={trans('Attached')}>
      {attachments.map((attachment, at) => (
        <li key={at} className="iai-chat-chip">
          <Chip attachment={attachment} />
          {onRemove && (
            <button
              type="button"
              className="iai-icon-button"
              aria-label={trans('Remove {name}', { name: visible(nameOf(attachment)) })}
              onClick={() => onRemove(at)}
            >
              <Icon name="close" />
            </button>
          )}
        </li>
      ))}
    </ul>
  ) : null;
}

function Chip({ attachment }: { readonly attachment: Attachment }) {
  const { trans } = useChat();
  const name = visible(nameOf(attachment));
  const kinds = { table: trans('Table'), image: trans('Picture'), file: trans('File') };
  return (
    <>
      {attachment.kind === 'image' && isPicture(attachment) ? (
        <img alt="" src={`data:${attachment.media_type};base64,${attachment.data}`} />
      ) : (
        <span className="iai-muted">{kinds[attachment.kind]}</span>
      )}
      <bdi title={name}>{shorten(name, NAME)}</bdi>
    </>
  );
}

function nameOf(attachment: Attachment): string {
  return attachment.kind === 'file' ? attachment.path : attachment.name;
}
