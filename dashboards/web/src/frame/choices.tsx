// Light or dark, and whose clock.

import { type Clock, type Theme, clock, theme } from '../settings';
import { useStore } from '../store';
import { Icon } from '../parts/icon';

export function Choices() {
  const worn = useStore(theme);
  const whose = useStore(clock);
  return (
    <div class="choices">
      <label>
        <Icon name="sun" />
        <span class="choice-word">Colours</span>
        <select value={worn} onChange={(event) => theme.set(event.currentTarget.value as Theme)}>
          <option value="system">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      <label>
        <Icon name="clock" />
        <span class="choice-word">Times</span>
        <select value={whose} onChange={(event) => clock.set(event.currentTarget.value as Clock)}>
          <option value="utc">UTC</option>
          <option value="local">Local</option>
        </select>
      </label>
    </div>
  );
}
