"""A stand-in BILL v3 server with an invented company: for demos, tests and measurements, without BILL credentials.

```python
with Emulator(company=Company(seed=7, bills=250)) as emu:
    emu.url            # http://127.0.0.1:<port>/connect
    emu.credentials    # username, password, organization_id, dev_key; or emu.oauth_credentials
    emu.company.edit("bills", bill_id, {"description": "changed"})    # this row alone
    emu.company.pay(bill_id)    # the books stay coherent; or enter, change, approve, apply_credit, clear, void
    emu.company.work(Random(1), 20)    # so many pieces of random work; answers what was done
    emu.company.remove("vendors", vendor_id)    # deleted for good
    emu.company.spend.remove("reimbursements", row_id)
```

From a shell: `python -m bill_emulator --help`.

How well each behaviour is known:

| behaviour | known from |
| --- | --- |
| paths, field names, nesting and JSON types of all rows; id prefixes, 20 characters | documented |
| login body and answer; logout answers an empty 200 | documented |
| a session ends after 35 idle minutes and is bound to its developer key | documented |
| developer key counts only in the login body; its absence is named in a 400 | observed |
| `sessionId` and `devKey` headers on every call; a bad session is 401 `BDC_1109` | documented, status observed |
| status of `BDC_1101`, `BDC_1102` (401) and `BDC_1105` (403) | assumed |
| wrong path 404 `BDC_1121`; unknown record 404 `BDC_1205` | documented; observed |
| organization needs ADMINISTRATOR; otherwise 403 `BDC_1302` | documented; code observed elsewhere |
| error bodies: an array with code | documented |
| error bodies: an array without code for refused parameters | observed |
| error bodies: one object outside `/connect/v3` | third-party |
| `max` 1-100, default 20; otherwise 400 | documented; observed |
| opaque cursors in `nextPage`/`prevPage`, key absent at the ends | documented; observed |
| cursors are offsets, or keysets (choose) | undocumented |
| a cursor carries its query; other `filters` or `sort` along with it are 400; no expiry | assumed |
| cursors that expire, or are refused in mid-list; 403 with or without a code in mid-list (choose) | undocumented |
| filter grammar, operators and sort fields per resource | documented, except where `resources` says assumed |
| a filter or sort that is not listed answers 400 | assumed |
| filters on a field refused or ignored although listed (choose) | undocumented |
| sorts refused or ignored: always, with or without a filter, under `max=1`, on some pages (choose) | undocumented |
| default order (by id; choose), order of ties, case-sensitive comparison | assumed |
| rows without the time sorted by come first, or last (choose) | undocumented |
| `createdTime` or `updatedTime` missing, null, a number, of year 2 or 9999, or no date (choose) | undocumented |
| a row without a time meets no filter on it, unless BILL knows what it does not show (choose) | assumed |
| archived rows and drafts are listed unless filtered out; `archived` is true for drafts | observed; documented |
| unpopulated fields are left out; `paymentInformation.payBySubType` may be null | observed |
| times shown in whole seconds as `+00:00`, kept finer | observed; assumed |
| money is sent digit for digit (`0.10`) | assumed |
| what bumps `updatedTime`: edits of the row itself | assumed |
| a payment, credit, approval or new balance bumps that of the records it changes, or does not (choose) | both assumed |
| how changed bank details and checks that nobody cashed look (see `company.irregularities`) | assumed |
| how amounts relate (see `company.ledger`); what work in the books changes (see `company.bookkeeping`) | assumed |
| unknown query parameters are ignored; a repeated one counts once, the last | assumed |
| 3 requests at once, else `BDC_1322` until one is over | documented |
| the status of `BDC_1322` (choose), sign-in and sign-out count too | undocumented; assumed |
| latency; rows edited and added during a read, under offset cursors shifting others (choose) | not BILL's to say |
| attachments, Spend & Expense rows deleted for good during a read (choose) | documented; what a reader sees is not |
| rows of other lists deleted for good, anything else done between two answers (choose) | undocumented |
| `createdTime` even, half of it in one import, or piled up at one end (choose) | invented |
| 20,000 requests and 200 sign-ins per developer key and clock hour, else `BDC_1144` | documented |
| the status of `BDC_1144` (choose); that sign-ins have the same code | undocumented; assumed |
| a session belongs to one organization; several organizations on one server | documented |
| a Console API token in place of the password; `rememberMeId` and `device` make a session trusted | documented |
| broken answers (choose, see `protocol.faults`) | seen by other readers, or on any network |
| JSON in Latin-1 or 20,000 levels deep, a path that always fails (choose) | undocumented |
| Spend & Expense: see `protocol.spend` | |
| OAuth client credentials: one access token for AP, AR and Spend & Expense; an app is one organization's | documented |
| where tokens are issued, how long they live, what the answer and errors say (choose) | undocumented; RFC 6749 |
| an access token together with `sessionId`, `devKey` or `apiToken` is 400 | assumed |
| a token that ended is 401 `BDC_1109`, or as in RFC 6750 (choose) | assumed |
| an app counts for the limits as a developer key does, and asking for a token as a sign-in | assumed |
| what is asked for per record, and rarely used lists: see `company.parts`, `company.extras` | |
| `Date` header on every answer; the clock may be ahead or behind | HTTP |
| `Date` in the asctime or RFC 850 form (choose) | HTTP; that BILL sends it: undocumented |
| two `Date` headers, other zones, year 9999, no date, none at all or none at first (choose) | undocumented |

Where to look:

* `company/` is the invented company: `catalog` (accounts, items, what vendors sell), `ledger` (bills, invoices,
  payments and credits as numbers), `bookkeeping` (what people do in it), `payables`, `receivables`, `settings` and
  `spend` (the same as BILL's rows), `company` (how to look at it and change it), `spread` and `odd_times` (its dates,
  right and wrong), `irregularities` (what an auditor looks for, planted on request). It knows nothing of HTTP.
* `protocol/` is BILL's API: `server` (the `Emulator`, with every option), `api` (which path is answered by what),
  `sign_in`, `sessions` and `tokens`, `filters`, `sorting` and `paging`, `limits`, `errors`, `parts`, `spend`; and what
  hurts: `faults` (broken answers), `mid_list` (refused cursors), `date_header`, `edits` (people at work while somebody
  reads).
* `resources` is the table of everything served; `schemas` tells the types of its fields.
* `marks` is the part of the table above that readers of BILL live by, for programs.

`emu.counters` and `/control` tell what happened. `Emulator(layers=...)` takes ASGI middlewares for anything else.
"""

from __future__ import annotations

from bill_emulator.clock import Clock
from bill_emulator.company.company import Company
from bill_emulator.company.extras import EXTRAS
from bill_emulator.company.odd_times import OddTimes
from bill_emulator.company.parts import PARTS
from bill_emulator.protocol.faults import KINDS, Faults
from bill_emulator.protocol.mid_list import MidList
from bill_emulator.protocol.server import Emulator
from bill_emulator.protocol.sign_in import Credentials

__all__ = [
    "EXTRAS",
    "KINDS",
    "PARTS",
    "Clock",
    "Company",
    "Credentials",
    "Emulator",
    "Faults",
    "MidList",
    "OddTimes",
]
