// There is no view at this address.

import { PageHead } from '../parts/page';

export default function Missing() {
  return (
    <>
      <PageHead title="There is no such view" />
      <p>
        The address <span class="mono">{location.pathname}</span> leads nowhere.
      </p>
      <p>
        Search above for an item, a serial, a GTIN, an address or a case, or begin at the <a href="/">overview</a>.
      </p>
    </>
  );
}
