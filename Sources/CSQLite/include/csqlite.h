#pragma once

// What SQLite offers in a form that Swift cannot call. `connection` is a sqlite3 *.

/// Says whether the journal stays as it is when the last connection is closed, rather than being written into the database.
void fettle_keep_journal(void *connection, int keeps);

/// Waits until the journal, and its name where this connection has made it, are on the disk. Returns SQLite's result code.
int fettle_sync_journal(void *connection);
