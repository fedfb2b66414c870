// Questions that are asked of frauds again and again, each with a name.

import type { NamedQuery } from '../api/types';
import { useAnswer } from '../api/load';
import { PageHead } from '../parts/page';
import { Empty, Shown } from '../parts/states';
import { many } from '../model/short';

export default function Queries() {
  const answer = useAnswer<{ queries: NamedQuery[] }>('/v1/queries');
  return (
    <>
      <PageHead title="Fraud queries" about="Questions with a name. Each can be changed in SQL." />
      <Shown of={answer} what="the queries" lines={6}>
        {({ queries }) =>
          queries.length === 0 ? (
            <Empty head="No named query" />
          ) : (
            <ul class="cards">
              {queries.map((one) => (
                <li key={one.name} class="card">
                  <h2>
                    <a href={`/queries/${encodeURIComponent(one.name)}`}>{one.title}</a>
                  </h2>
                  <p>{one.asks}</p>
                  <p class="quiet small">
                    {one.parameters.length === 0
                      ? 'No parameters'
                      : `${many(one.parameters.length, 'parameter')}: ${one.parameters.map((parameter) => parameter.name).join(', ')}`}
                  </p>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  );
}
