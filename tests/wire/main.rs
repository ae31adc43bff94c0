//! What needs no socket: the protocol as plays, properties of parsers, cut and split at every byte; and what is read from
//! the sources themselves: the floors, circles, the table of clauses.

#[path = "../support/mod.rs"]
mod support;

mod circles;
mod clauses;
mod cuts;
mod floors;
mod playbook;
mod playbook_ends;
mod playbook_server;
mod properties;
mod script;
mod spelling;
