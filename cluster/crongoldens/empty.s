// The linker finds mostRecentScheduleTime, which has no body here, because this file is here.
