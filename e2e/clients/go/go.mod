module lossless/clients

go 1.26
