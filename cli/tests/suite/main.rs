//! The program as a user runs it, with the plugins of Coase: one binary, so that it is linked once.

mod agv;
mod auction;
mod audit;
mod bad_input;
mod batches;
mod cooperation;
mod ended;
mod files;
mod flow;
mod game;
mod glyphs;
mod list;
mod opf;
mod pages;
mod papers;
mod plain_games;
mod readers;
mod readme;
mod registry;
mod run;
mod scarcity;
mod sensitivity;
mod slurm;
mod starting_points;
mod support;
mod vcg;
