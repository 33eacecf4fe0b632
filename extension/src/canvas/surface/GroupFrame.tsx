/** A group: a frame around its nodes, with a title to move and rename it by. */
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { useController, useSelect } from '../hooks';
import { InlineName } from './InlineName';
import type { GroupNode } from './scene';

export const GroupFrame = memo(
  function GroupFrame({ data: { group }, selected }: NodeProps<GroupNode>) {
    const controller = useController();
    const { trans } = controller.services;
    const renaming = useSelect(controller.view, view => view.renaming === group.id);
    const title = group.title || trans('Group');
    return (
      <div
        className="iai-group"
        data-selected={selected || undefined}
        style={group.color ? { borderColor: group.color } : undefined}
      >
        <div
          className="iai-group-title"
          onDoubleClick={event => {
            event.stopPropagation();
            if (!controller.readOnly) {
              controller.look({ renaming: group.id });
            }
          }}
        >
          {renaming ? (
            <InlineName id={group.id} value={title} label={trans('Title of the group')} />
          ) : (
            <bdi>{title}</bdi>
          )}
        </div>
      </div>
    );
  },
  (before, next) => before.data === next.data && before.selected === next.selected
);
