#pragma once

/// Says whether the journal stays as it is when the last connection is closed, rather than being written into the database, which
/// waits for the disk three times. `connection` is a sqlite3 *. A variadic function of SQLite's, which Swift cannot call.
void fettle_keep_journal(void *connection, int keeps);
