// The two halves of every alert: what should have come, and what came.

import { Icon } from './icon';
import { Prose } from './prose';

export function Said({ expected, came, size = 'small' }: { expected: string; came: string; size?: 'small' | 'large' }) {
  return (
    <dl class={`said ${size}`}>
      <div class="expected">
        <dt>
          <Icon name="expected" />
          Expected
        </dt>
        <dd>
          <Prose text={expected} whole={size === 'large'} />
        </dd>
      </div>
      <div class="came">
        <dt>
          <Icon name="came" />
          Came
        </dt>
        <dd>
          <Prose text={came} whole={size === 'large'} />
        </dd>
      </div>
    </dl>
  );
}
