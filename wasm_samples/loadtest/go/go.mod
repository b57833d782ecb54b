module loadtest

go 1.22
